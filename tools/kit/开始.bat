@echo off
rem Set lifecircle up in this folder without a network and run the example.
setlocal
chcp 65001 >nul
cd /d "%~dp0"
set PYTHONUTF8=1
set STATUS=2
set START=
py -3.11 -c "" >nul 2>nul && set START=py -3.11
if not defined START python -c "" >nul 2>nul && set START=python
if not defined START goto without
%START% start.py
set STATUS=%ERRORLEVEL%
if %STATUS%==0 start "" "demo\maps\haiyan.html"
goto end
:without
echo 需要 64 位的 Python 3.11。安装包请在能上网的电脑上下载，再拷到这里。
echo This needs Python 3.11, 64 bit. Download its installer elsewhere and copy it here.
:end
pause
exit /b %STATUS%
